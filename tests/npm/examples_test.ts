import { testNodeExamples } from "./node_examples.ts";
import { openProject } from "./project.ts";

await testNodeExamples(await openProject());
