// The official JavaScript client under measurement. It speaks what python_worker.py speaks.
import { createInterface } from "node:readline";
import { CommunicationIdentityClient } from "@azure/communication-identity";

const [endpoint, , concurrency] = process.argv.slice(2);
const key = "YmVuY2htYXJrLWtleS1iZW5jaG1hcmsta2V5LWJlbmNobWFyaw==";
const client = new CommunicationIdentityClient(`endpoint=${endpoint};accesskey=${key}`, {
  allowInsecureConnection: true,
});
const resource = "8:acs:8f1f1a36-0000-4e09-a1bc-f0a8e0f0ffff";
const users = Array.from({ length: 5000 }, (_, number) => ({
  communicationUserId: `${resource}_${number.toString(16).padStart(8, "0")}-1a2b-4c3d-9e8f-0123456789ab`,
}));
let turn = 0;

async function calls(number) {
  let left = number;
  const some = async () => {
    while (left-- > 0) {
      await client.getToken(users[turn++ % users.length], ["chat", "voip"]);
    }
  };
  await Promise.all(Array.from({ length: Number(concurrency) }, some));
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(" ");
  if (command === "quit") break;
  if (command === "memory") {
    console.log(JSON.stringify({ memory: process.memoryUsage().rss / 2 ** 20 }));
    continue;
  }
  const cpu = process.cpuUsage();
  const began = performance.now();
  await calls(Number(argument));
  const used = process.cpuUsage(cpu);
  console.log(
    JSON.stringify({
      cpu: (used.user + used.system) / 1e6,
      wall: (performance.now() - began) / 1e3,
      p99: 0,
    }),
  );
}
process.exit(0);
