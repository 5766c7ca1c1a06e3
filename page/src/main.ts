import "./style.css";
import { Experiment } from "./experiment";
import { pageStateOf } from "./state";

const state = pageStateOf(location.hash);
new Experiment("a", state.a, { connection() {}, say() {}, changed() {}, show() {} });
