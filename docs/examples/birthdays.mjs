// Birthdays: a backend acts for a user, and sees exactly what the user may see, for as long as the session lives.
//
// Reads DAYPASS_ENDPOINT, DAYPASS_PROJECT and DAYPASS_KEY, which `daypass up` writes into a file. Needs the official
// SDK: `npm install`, then `node birthdays.mjs`. It can be run again and again, and leaves nothing behind.
import { Account, Client, ID, Permission, Role, TablesDB, Users } from "node-appwrite";

const { DAYPASS_ENDPOINT, DAYPASS_PROJECT, DAYPASS_KEY } = process.env;
const birthdays = { ada: "1815-12-10", grace: "1906-12-09", alan: "1912-06-23" };
const password = "correct horse battery";
const tableId = "birthdays";

const client = () => new Client().setEndpoint(DAYPASS_ENDPOINT).setProject(DAYPASS_PROJECT); // a guest
const admin = client().setKey(DAYPASS_KEY);
const databaseId = ID.unique();
const users = Object.fromEntries(Object.keys(birthdays).map((name) => [name, ID.unique()]));
const address = (userId) => `${userId}@example.org`;

// Makes the users, the table, and a row for each user; returns the rows' ids by name.
async function setUp() {
  const tables = new TablesDB(admin);
  await tables.create({ databaseId, name: "Birthdays" });
  const columns = [
    { key: "name", type: "varchar", size: 64, required: true },
    { key: "birthday", type: "datetime", required: true },
  ];
  await tables.createTable({ databaseId, tableId, name: "Birthdays", rowSecurity: true, columns });
  const rows = {};
  for (const [name, userId] of Object.entries(users)) {
    await new Users(admin).create({ userId, email: address(userId), password, name });
    const data = { name, birthday: birthdays[name] };
    const permissions = [Permission.read(Role.user(userId))];
    const row = await tables.createRow({ databaseId, tableId, rowId: ID.unique(), data, permissions });
    rows[name] = row.$id;
  }
  console.log("Three users, and a row for each that only its user may read.");
  return rows;
}

// Lists whose rows a caller may see.
async function seen(caller) {
  const { total, rows } = await new TablesDB(caller).listRows({ databaseId, tableId });
  return total ? rows.map((row) => row.name).join(", ") : "nothing";
}

// Awaits what must be refused; returns status and type.
const refusal = (call) => call.then(() => "not refused", (error) => `${error.code} ${error.type}`);

// Tells what is found, and fails where it is not what was expected.
function expect(what, found, expected) {
  console.log(what, found);
  if (found !== expected) throw new Error(`expected: ${expected}`);
}

async function tell(rowId) {
  expect("An API key sees", await seen(admin), "ada, grace, alan");

  // A caller with a key is shown the session's secret; a browser gets it as a cookie.
  const session = await new Account(admin).createEmailPasswordSession({ email: address(users.ada), password });
  const signedIn = client().setSession(session.secret);
  const byAda = client().setJWT((await new Account(signedIn).createJWT()).jwt);
  const byKey = client().setJWT((await new Users(admin).createJWT({ userId: users.ada })).jwt);
  console.log("Ada signs in.");
  expect("A backend with a JWT made by Ada sees", await seen(byAda), "ada");
  expect("A backend with a JWT made by a key sees", await seen(byKey), "ada");

  await new Account(signedIn).deleteSession({ sessionId: "current" });
  console.log("Ada signs out.");
  expect("A backend with a JWT made by Ada sees", await seen(byAda), "nothing");
  expect("A backend with a JWT made by a key sees", await seen(byKey), "nothing");
  const row = new TablesDB(byAda).getRow({ databaseId, tableId, rowId });
  expect("Her row:", await refusal(row), "404 row_not_found");
  expect("Her account:", await refusal(new Account(byKey).get()), "401 general_unauthorized_scope");
}

const rows = await setUp();
try {
  await tell(rows.ada);
} finally {
  await new TablesDB(admin).delete({ databaseId });
  for (const userId of Object.values(users)) await new Users(admin).delete({ userId });
}
