// What the stories of this folder share: clients of each kind of caller, and checks that say what they found.
import assert from "node:assert/strict";

const { DAYPASS_ENDPOINT, DAYPASS_PROJECT } = process.env;

// Makes a function that returns a guest's client of one SDK.
export const guests = (Client) => () => new Client().setEndpoint(DAYPASS_ENDPOINT).setProject(DAYPASS_PROJECT);

// Checks that an answer has these fields, and returns it.
export async function has(answer, fields) {
  const found = await answer;
  const wanted = Object.entries(fields);
  for (const [name, value] of wanted) assert.equal(JSON.stringify(found[name]), JSON.stringify(value), name);
  return found;
}

// Checks that a call is refused with this status and type.
export async function refused(call, status, type) {
  const error = await call.then(() => assert.fail("not refused"), (error) => error);
  assert.equal(`${error.code} ${error.type}`, `${status} ${type}`);
}
