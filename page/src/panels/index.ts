/** The panels below the network, in the order of their tabs. */

import type { Panel } from "../panel";
import { equations } from "./equations";
import { exports } from "./exports";
import { lessons } from "./lessons";
import { measures } from "./measures";
import "./panels.css";
import { point } from "./point";
import { settings } from "./settings";
import { table } from "./table";

export const panels: Panel[] = [lessons, equations, measures, point, table, settings, exports];
