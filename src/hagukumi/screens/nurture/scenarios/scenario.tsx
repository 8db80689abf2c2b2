// A scenario as a read-only graph with live counts. The element holds <script type="application/json"> with nodes, edges
// and counts as `drawing.py` gives them; data-counts is the address that is asked for fresh counts. The same steps
// stand as a list on the page, for readers without scripts and for screen readers.
import "@xyflow/react/dist/style.css";
import { Background, Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from "@xyflow/react";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

type Step = { id: string; look: "entry" | "step" | "branch" | "end"; title: string; kind: string; stands: boolean; column: number; row: number };
type Way = { id: string; source: string; target: string; label: string; exit: string };
type Counts = { nodes: Record<string, number>; edges: Record<string, number> };
type Words = { people: string; done: string; zoomIn: string; zoomOut: string; fit: string; controls: string };
type Drawing = { nodes: Step[]; edges: Way[]; counts: Counts | null; words: Words };
type Card = Node<Step & { here: number | null; unit: string }, "step">;

const WIDTH = 210;
const COLUMN = 300;
const ROW = 112;
const EVERY_MS = 3000;

function StepCard({ data }: NodeProps<Card>) {
  const here = data.here ?? 0;
  return (
    <div className={`scenario-step is-${data.look}${data.stands && here > 0 ? " is-peopled" : ""}`} style={{ width: WIDTH }}>
      {data.look !== "entry" && <Handle type="target" position={Position.Top} isConnectable={false} />}
      <small>{data.kind}</small>
      <strong>{data.title}</strong>
      {data.here !== null && data.stands && (data.look !== "entry" || here > 0) && (
        <span className="scenario-here">
          {here.toLocaleString()}
          {data.unit}
        </span>
      )}
      {data.look !== "end" && <Handle id="down" type="source" position={Position.Bottom} isConnectable={false} />}
      {data.look === "branch" && <Handle id="side" type="source" position={Position.Right} isConnectable={false} />}
    </div>
  );
}

const nodeTypes = { step: StepCard };

export function cards(drawing: Drawing, counts: Counts | null): Card[] {
  return drawing.nodes.map((step) => ({
    id: step.id,
    type: "step",
    position: { x: step.column * COLUMN, y: step.row * ROW },
    data: {
      ...step,
      here: counts ? (counts.nodes[step.id] ?? 0) : null,
      unit: step.look === "end" ? drawing.words.done : drawing.words.people,
    },
  }));
}

// "No" leaves by the side; a way to another column runs down in its own and crosses just above its target, so that no
// way runs behind a step.
export function arrows(drawing: Drawing, counts: Counts | null): Edge[] {
  const row = new Map(drawing.nodes.map((step) => [step.id, step.row]));
  return drawing.edges.map((way) => {
    const span = (row.get(way.target) ?? 0) - (row.get(way.source) ?? 0);
    const gone = counts?.edges[way.id] ?? 0;
    const label = [way.label, counts && gone > 0 ? gone.toLocaleString() : ""].filter(Boolean).join(" · ");
    return {
      id: way.id,
      source: way.source,
      target: way.target,
      sourceHandle: way.exit === "no" ? "side" : "down",
      type: "smoothstep",
      pathOptions: {
        stepPosition: span > 1 && way.exit !== "no" ? 1 - 0.35 / span : 0.5,
        borderRadius: 8,
        offset: way.exit === "no" ? 42 : 16,
      },
      label: label || undefined,
      className: `scenario-way is-${way.exit}`,
      markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16 },
    };
  });
}

// The library's own words are English, and speak of selecting and deleting, which this read-only graph does not have.
function spoken(words: Words) {
  return {
    "node.a11yDescription.default": "",
    "node.a11yDescription.keyboardDisabled": "",
    "edge.a11yDescription.default": "",
    "controls.ariaLabel": words.controls,
    "controls.zoomIn.ariaLabel": words.zoomIn,
    "controls.zoomOut.ariaLabel": words.zoomOut,
    "controls.fitView.ariaLabel": words.fit,
  };
}

function Scenario({ drawing, address }: { drawing: Drawing; address: string }) {
  const [counts, setCounts] = useState(drawing.counts);
  useEffect(() => {
    if (!address) return;
    const ask = async () => {
      if (document.hidden) return;
      const answer = await fetch(address).catch(() => null);
      if (answer?.ok) setCounts((await answer.json()) as Counts);
    };
    const timer = window.setInterval(() => void ask(), EVERY_MS);
    return () => window.clearInterval(timer);
  }, [address]);
  return (
    <ReactFlow
      nodes={cards(drawing, counts)}
      edges={arrows(drawing, counts)}
      nodeTypes={nodeTypes}
      ariaLabelConfig={spoken(drawing.words)}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      zoomOnScroll={false}
      preventScrolling={false}
      minZoom={0.3}
      maxZoom={1.3}
      fitView
      fitViewOptions={{ padding: 0.08, maxZoom: 1 }}
    >
      <Background gap={20} />
      <Controls showInteractive={false} position="top-right" />
    </ReactFlow>
  );
}

export default function start(element: HTMLElement): void {
  const data = element.querySelector('script[type="application/json"]');
  const place = element.querySelector<HTMLElement>("[data-canvas]");
  if (!data || !place) return;
  const drawing = JSON.parse(data.textContent ?? "{}") as Drawing;
  createRoot(place).render(<Scenario drawing={drawing} address={element.dataset.counts ?? ""} />);
}
