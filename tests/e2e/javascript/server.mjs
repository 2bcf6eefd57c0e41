// A backend with an API key, by the official server SDK: users, teams, tables with their columns and indexes, rows.
import assert from "node:assert/strict";

import { Client, Databases, ID, Permission, Query, Role, TablesDB, Teams, Users } from "node-appwrite";

import { guests, has, refused } from "./expect.mjs";

const client = guests(Client)().setKey(process.env.DAYPASS_KEY);
const users = new Users(client);
const teams = new Teams(client);
const tables = new TablesDB(client);
const [userId, databaseId, tableId] = [ID.unique(), ID.unique(), "books"];
const email = `${userId}@example.org`;
const password = "correct horse battery";

async function looksAfterUsers() {
  await has(users.create({ userId, email, password, name: "Ada" }), { $id: userId, email });
  await refused(users.create({ userId, email }), 409, "user_already_exists");
  await has(users.updateName({ userId, name: "Ada L." }), { name: "Ada L." });
  await has(users.updateEmail({ userId, email: `new.${email}` }), { email: `new.${email}` });
  await has(users.updatePassword({ userId, password: `${password} staple` }), { $id: userId });
  await has(users.updateLabels({ userId, labels: ["reader"] }), { labels: ["reader"] });
  await has(users.updatePrefs({ userId, prefs: { theme: "dark" } }), { theme: "dark" });
  await has(users.updateEmailVerification({ userId, emailVerification: true }), { emailVerification: true });
  await has(users.list({ queries: [Query.equal("name", ["Ada L."])], search: userId }), { total: 1 });
  const session = await users.createSession({ userId });
  await has(users.listSessions({ userId }), { total: 1 });
  assert.ok((await users.createJWT({ userId, sessionId: session.$id })).jwt);
  assert.equal((await users.createToken({ userId, length: 16 })).secret.length, 16);
  await users.deleteSession({ userId, sessionId: session.$id });
  await has(users.updateStatus({ userId, status: false }), { status: false });
  await has(users.updateStatus({ userId, status: true }), { status: true });
}

async function looksAfterTeams() {
  const team = await teams.create({ teamId: ID.unique(), name: "Analysts" });
  const member = await teams.createMembership({ teamId: team.$id, roles: ["chief"], userId });
  await has(Promise.resolve(member), { userId, confirm: true, roles: ["chief"] });
  await has(users.listMemberships({ userId }), { total: 1 });
  await teams.delete({ teamId: team.$id });
  await has(users.listMemberships({ userId }), { total: 0 });
}

async function makesATable() {
  const table = { databaseId, tableId };
  await has(tables.create({ databaseId, name: "Library" }), { $id: databaseId, enabled: true });
  await has(tables.createTable({ ...table, name: "Books", rowSecurity: true }), { $id: tableId, columns: [] });
  const named = (key, more = {}) => ({ ...table, key, required: false, ...more });
  await has(tables.createVarcharColumn(named("title", { size: 64 })), { type: "varchar", size: 64 });
  await has(tables.createIntegerColumn(named("pages", { min: 1 })), { type: "integer" });
  await has(tables.createFloatColumn(named("weight")), { type: "double" });
  await has(tables.createBooleanColumn(named("lent", { xdefault: false })), { type: "boolean", default: false });
  await has(tables.createDatetimeColumn(named("bought")), { type: "datetime" });
  await has(tables.createEmailColumn(named("author")), { format: "email" });
  await has(tables.createEnumColumn(named("kind", { elements: ["novel", "poem"] })), { elements: ["novel", "poem"] });
  await has(tables.createTextColumn(named("blurb")), { type: "text" });
  await has(tables.updateVarcharColumn({ ...named("title", { size: 128, newKey: "name" }), xdefault: null }), {
    key: "name",
    size: 128,
  });
  await has(tables.updateIntegerColumn({ ...named("pages"), required: true, xdefault: null }), { required: true });
  await has(tables.createIndex({ ...table, key: "by_name", type: "key", columns: ["name"] }), { type: "key" });
  await has(tables.createIndex({ ...table, key: "in_blurb", type: "fulltext", columns: ["blurb"] }), {
    type: "fulltext",
  });
  await has(tables.listColumns(table), { total: 8 });
  await has(tables.listIndexes(table), { total: 2 });
  await tables.deleteColumn({ ...table, key: "weight" });
}

async function keepsRows() {
  const table = { databaseId, tableId };
  const titles = ["Emma", "Persuasion", "Sanditon"];
  const rows = titles.map((name, place) => ({ $id: name.toLowerCase(), name, pages: 100 * (place + 1) }));
  await has(tables.createRows({ ...table, rows }), { total: 3 });
  await has(tables.listRows({ ...table, queries: [Query.between("pages", 150, 250)] }), { total: 1 });
  await has(tables.updateRow({ ...table, rowId: "emma", data: { blurb: "a clever and rich heroine" } }), {
    name: "Emma",
  });
  const found = await tables.listRows({ ...table, queries: [Query.search("blurb", "heroine")] });
  assert.deepEqual(found.rows.map((row) => row.name), ["Emma"]);
  await has(tables.updateRows({ ...table, data: { kind: "novel" }, queries: [Query.isNull("kind")] }), { total: 3 });
  await has(tables.upsertRows({ ...table, rows: [{ $id: "emma", name: "Emma", pages: 474 }] }), { total: 1 });
  await has(tables.deleteRows({ ...table, queries: [Query.lessThan("pages", 474)] }), { total: 2 });
  const permissions = [Permission.read(Role.user(userId))];
  await has(tables.updateRow({ ...table, rowId: "emma", permissions }), { $permissions: permissions });
}

async function readsTheSameAsDocuments() {
  const documents = await new Databases(client).listDocuments({ databaseId, collectionId: tableId });
  assert.deepEqual(documents.documents.map((one) => [one.$collectionId, one.name]), [[tableId, "Emma"]]);
}

async function clearsAway() {
  await tables.delete({ databaseId });
  await refused(tables.get({ databaseId }), 404, "database_not_found");
  await users.delete({ userId });
  await refused(users.get({ userId }), 404, "user_not_found");
}

for (const step of [looksAfterUsers, looksAfterTeams, makesATable, keepsRows, readsTheSameAsDocuments, clearsAway]) {
  await step();
  console.log(step.name);
}
