/** What the page calls test rows, for tooltips. */
export const TEST_ROWS =
  "The network is not trained on the test rows. run.toml and history.csv call them validation rows: early stopping, if it is on, uses their loss.";
