// A chart by ECharts. The element holds <script type="application/json"> with the options, a <div data-canvas>, buttons
// with data-png and data-csv, and the same numbers as a table in <details>, which is what the page shows without us.
import { BarChart, FunnelChart, HeatmapChart, LineChart, PieChart, SankeyChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  DatasetComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import * as echarts from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([
  BarChart, FunnelChart, HeatmapChart, LineChart, PieChart, SankeyChart, ScatterChart, AriaComponent, DatasetComponent,
  GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, LabelLayout, CanvasRenderer,
]);

type Options = echarts.EChartsCoreOption & { xAxis?: object; yAxis?: object; grid?: object; legend?: object; tooltip?: object };

/** A colour of the skin, as it is in the page's present theme. */
function shade(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The same options with each `--chart-…` as the colour that the skin gives it. */
export function coloured(value: unknown, colour: (name: string) => string): unknown {
  if (typeof value === "string") return value.startsWith("--chart-") ? colour(value) : value;
  if (Array.isArray(value)) return value.map((one) => coloured(one, colour));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, colour)]));
}

function dressed(given: Options): Options {
  const options = coloured(given, shade) as Options;
  const line = { lineStyle: { color: shade("--chart-line") } };
  const axis = {
    axisLine: line,
    axisTick: { show: false },
    splitLine: line,
    axisLabel: { color: shade("--chart-ink-soft"), fontSize: 12 },
  };
  const dress = (axes: object | object[] | undefined): object =>
    Array.isArray(axes) ? axes.map((one: object) => Object.assign({}, axis, one)) : { ...axis, ...axes };
  const ink = { color: shade("--chart-ink") };
  return {
    color: [1, 2, 3, 4, 5].map((number) => shade(`--chart-${number}`)),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, ...ink },
    legend: options.legend && { textStyle: ink, ...(options.legend as object) },
    animationDuration: 300,
    darkMode: document.documentElement.dataset.bsTheme === "dark",
    backgroundColor: shade("--chart-paper"),
    aria: { enabled: true },
    ...without(options, "legend"),
    tooltip: {
      trigger: options.xAxis ? "axis" : "item",
      confine: true,
      backgroundColor: shade("--chart-paper"),
      borderColor: shade("--chart-line"),
      textStyle: ink,
      ...(options.tooltip as object | undefined),
    },
    ...(options.xAxis && {
      grid: { left: 8, right: 24, top: 28, bottom: 8, containLabel: true, ...options.grid },
      xAxis: dress(options.xAxis),
      yAxis: dress(options.yAxis),
    }),
  };
}

function without(options: Options, key: string): Options {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== key));
}

function save(name: string, href: string): void {
  const link = document.createElement("a");
  link.download = name;
  link.href = href;
  link.click();
}

function csv(table: HTMLTableElement): string {
  const lines = [...table.rows].map((row) =>
    [...row.cells].map((cell) => `"${(cell.dataset.value ?? cell.innerText).trim().replaceAll('"', '""')}"`).join(","),
  );
  return "\ufeff" + lines.join("\r\n"); // the mark lets Excel read it as UTF-8
}

export default function chart(element: HTMLElement): void {
  const canvas = element.querySelector<HTMLElement>("[data-canvas]");
  const source = element.querySelector<HTMLScriptElement>('script[type="application/json"]');
  const table = element.querySelector<HTMLTableElement>("table");
  if (!canvas || !source) return;
  const name = element.id || "chart";
  const drawn = echarts.init(canvas);
  const options = JSON.parse(source.textContent ?? "{}") as Options;
  const draw = (): void => drawn.setOption(dressed(options), true);
  draw();
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  new ResizeObserver(() => drawn.resize()).observe(canvas);
  element.querySelector("[data-png]")?.addEventListener("click", () => {
    save(`${name}.png`, drawn.getDataURL({ pixelRatio: 2, backgroundColor: shade("--chart-paper") }));
  });
  element.querySelector("[data-csv]")?.addEventListener("click", () => {
    if (!table) return;
    const file = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv;charset=utf-8" }));
    save(`${name}.csv`, file);
    window.setTimeout(() => URL.revokeObjectURL(file), 1000);
  });
}
