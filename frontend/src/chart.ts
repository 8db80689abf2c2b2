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

type Options = echarts.EChartsCoreOption & { xAxis?: object; yAxis?: object; grid?: object };

function shade(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function dressed(options: Options): Options {
  const line = { lineStyle: { color: shade("--house-line") } };
  const axis = {
    axisLine: line,
    axisTick: { show: false },
    splitLine: line,
    axisLabel: { color: shade("--house-ink-soft"), fontSize: 12 },
  };
  const dress = (given: object | object[] | undefined): object =>
    Array.isArray(given) ? given.map((one: object) => ({ ...axis, ...one })) : { ...axis, ...given };
  return {
    color: ["--house-sprout", "--house-sky", "--house-amber", "--house-plum", "--house-stone"].map(shade),
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: shade("--house-ink") },
    animationDuration: 300,
    aria: { enabled: true },
    tooltip: { trigger: options.xAxis ? "axis" : "item", confine: true },
    ...options,
    ...(options.xAxis && {
      grid: { left: 8, right: 24, top: 28, bottom: 8, containLabel: true, ...options.grid },
      xAxis: dress(options.xAxis),
      yAxis: dress(options.yAxis),
    }),
  };
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
  drawn.setOption(dressed(JSON.parse(source.textContent ?? "{}") as Options));
  new ResizeObserver(() => drawn.resize()).observe(canvas);
  element.querySelector("[data-png]")?.addEventListener("click", () => {
    save(`${name}.png`, drawn.getDataURL({ pixelRatio: 2, backgroundColor: "#fff" }));
  });
  element.querySelector("[data-csv]")?.addEventListener("click", () => {
    if (!table) return;
    const file = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv;charset=utf-8" }));
    save(`${name}.csv`, file);
    window.setTimeout(() => URL.revokeObjectURL(file), 1000);
  });
}
