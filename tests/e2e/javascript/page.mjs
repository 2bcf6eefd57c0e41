// A page in a browser, by the official web SDK: accounts, sessions, teams and rows, as a user uses them.
//
// No cookies are kept here, so the session goes by the header that the SDK keeps in local storage for such browsers.
import assert from "node:assert/strict";

import { Account, Client, ID, Permission, Query, Role, TablesDB, Teams } from "appwrite";

import { guests, has, refused } from "./expect.mjs";

const kept = new Map();
const localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
globalThis.window = { localStorage, console: { warn() {} } };

const { DAYPASS_DATABASE: databaseId, DAYPASS_TABLE: tableId } = process.env;
const client = guests(Client)();
const account = new Account(client);
const teams = new Teams(client);
const tables = new TablesDB(client);
const password = "correct horse battery";
const userId = ID.unique();
const email = `${userId}@example.org`;

async function signsUpAndIn() {
  await has(account.create({ userId, email, password, name: "Ada" }), { $id: userId, email, name: "Ada" });
  await refused(account.get(), 401, "general_unauthorized_scope");
  await refused(account.createEmailPasswordSession({ email, password: "not this one" }), 401, "user_invalid_credentials");
  await has(account.createEmailPasswordSession({ email, password }), { userId, current: true, secret: "" });
  await has(account.get(), { $id: userId, status: true });
}

async function changesTheAccount() {
  await has(account.updateName({ name: "Ada L." }), { name: "Ada L." });
  await has(account.updatePrefs({ prefs: { theme: "dark" } }), { prefs: { theme: "dark" } });
  await has(account.getPrefs(), { theme: "dark" });
  await has(account.updateEmail({ email: `new.${email}`, password }), { email: `new.${email}` });
  await has(account.updatePhone({ phone: `+49${Date.now() % 10 ** 10}`, password }), { phoneVerification: false });
  await has(account.updatePassword({ password: `${password} staple`, oldPassword: password }), { $id: userId });
}

async function looksAfterSessions() {
  await refused(account.createAnonymousSession(), 401, "user_session_already_exists");
  const { sessions } = await account.listSessions();
  const current = await account.getSession({ sessionId: "current" });
  assert.ok(sessions.some((session) => session.$id === current.$id && session.current));
  await has(account.updateSession({ sessionId: "current" }), { $id: current.$id });
}

async function worksInATeam() {
  const team = await teams.create({ teamId: ID.unique(), name: "Analysts" });
  await has(teams.get({ teamId: team.$id }), { name: "Analysts", total: 1 });
  await has(teams.updateName({ teamId: team.$id, name: "Engines" }), { name: "Engines" });
  await has(teams.updatePrefs({ teamId: team.$id, prefs: { colour: "red" } }), { colour: "red" });
  await has(teams.getPrefs({ teamId: team.$id }), { colour: "red" });
  await has(teams.list({ search: "Engines" }), { total: 1 });
  const { memberships } = await teams.listMemberships({ teamId: team.$id });
  const membershipId = memberships[0].$id;
  await has(teams.getMembership({ teamId: team.$id, membershipId }), { roles: ["owner"], confirm: true });
  await has(teams.updateMembership({ teamId: team.$id, membershipId, roles: ["owner", "chief"] }), {
    roles: ["owner", "chief"],
  });
  await teams.deleteMembership({ teamId: team.$id, membershipId });
  await refused(teams.get({ teamId: team.$id }), 404, "team_not_found");
}

async function keepsRows() {
  const place = { databaseId, tableId };
  const owner = Role.user(userId);
  const permissions = [Permission.read(owner), Permission.update(owner), Permission.delete(owner)];
  const rowId = ID.unique();
  await has(tables.createRow({ ...place, rowId, data: { title: "Notes", pages: 3 }, permissions }), { pages: 3 });
  await has(tables.updateRow({ ...place, rowId, data: { title: "Notes on the engine" } }), { pages: 3 });
  await has(tables.incrementRowColumn({ ...place, rowId, column: "pages", value: 2 }), { pages: 5 });
  await has(tables.decrementRowColumn({ ...place, rowId, column: "pages" }), { pages: 4 });
  await has(tables.upsertRow({ ...place, rowId, data: { title: "Sketch", pages: 7 } }), { title: "Sketch" });
  await has(tables.getRow({ ...place, rowId, queries: [Query.select(["title"])] }), { pages: undefined });
  const queries = [Query.equal("title", ["Sketch", "Menabrea"]), Query.orderDesc("pages"), Query.limit(5)];
  await has(tables.listRows({ ...place, queries }), { total: 1 });
  await refused(tables.createRow({ ...place, rowId, data: { title: "Again" } }), 409, "row_already_exists");
  await tables.deleteRow({ ...place, rowId });
  await refused(tables.getRow({ ...place, rowId }), 404, "row_not_found");
}

async function leaves() {
  const headers = { "X-Appwrite-Project": client.config.project, "X-Appwrite-JWT": (await account.createJWT()).jwt };
  const asABackendSees = async () => (await fetch(`${client.config.endpoint}/account`, { headers })).status;
  assert.equal(await asABackendSees(), 200);
  await account.deleteSession({ sessionId: "current" });
  assert.equal(await asABackendSees(), 401);
  await refused(account.get(), 401, "general_unauthorized_scope");
  await account.createAnonymousSession();
  await account.deleteSessions();
}

for (const step of [signsUpAndIn, changesTheAccount, looksAfterSessions, worksInATeam, keepsRows, leaves]) {
  await step();
  console.log(step.name);
}
