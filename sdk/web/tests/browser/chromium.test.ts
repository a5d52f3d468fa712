import { testIn } from "./app.js";

testIn("chromium");
