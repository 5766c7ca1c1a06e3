import "./style.css";
import { WholePage } from "./page";

const page = new WholePage();
document.getElementById("page")!.replaceWith(page.element);
// Panels, with all that they draw, are loaded after the first paint.
requestAnimationFrame(() => {
  void import("./panels").then(({ panels }) => page.addPanels(panels));
});
