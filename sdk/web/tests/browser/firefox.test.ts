import { testIn } from "./app.js";

testIn("firefox");
