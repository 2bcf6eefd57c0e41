// Birthdays in JavaScript, with Appwrite's node SDK: `npm install`, then `node birthdays.mjs`.
// Reads DAYPASS_ENDPOINT, DAYPASS_PROJECT and DAYPASS_KEY, which `daypass up` writes into a file.
import { Account, Client, ID, Permission, Role, TablesDB } from "node-appwrite";

const { DAYPASS_ENDPOINT, DAYPASS_PROJECT, DAYPASS_KEY } = process.env;
const birthdays = { ada: "1815-12-10", grace: "1906-12-09", alan: "1912-06-23" };
const password = "correct horse battery";
const client = () => new Client().setEndpoint(DAYPASS_ENDPOINT).setProject(DAYPASS_PROJECT);

const admin = client().setKey(DAYPASS_KEY);
const tables = new TablesDB(admin);
const databaseId = ID.unique();
const tableId = "birthdays";
const names = async (caller) =>
  (await new TablesDB(caller).listRows({ databaseId, tableId })).rows.map((row) => row.name);

await tables.create({ databaseId, name: "Birthdays" });
await tables.createTable({
  databaseId,
  tableId,
  name: "Birthdays",
  rowSecurity: true,
  columns: [
    { key: "name", type: "varchar", size: 64, required: true },
    { key: "birthday", type: "datetime", required: true },
  ],
});
for (const [name, birthday] of Object.entries(birthdays)) {
  const email = `${name}-${databaseId}@example.org`;
  const user = await new Account(client()).create({ userId: ID.unique(), email, password, name });
  await tables.createRow({
    databaseId,
    tableId,
    rowId: ID.unique(),
    data: { name, birthday },
    permissions: [Permission.read(Role.user(user.$id))],
  });
}
console.log("a key sees: ", await names(admin));

const email = `ada-${databaseId}@example.org`;
const session = await new Account(admin).createEmailPasswordSession({ email, password });
const signedIn = client().setSession(session.secret);
const { jwt } = await new Account(signedIn).createJWT();
const backend = client().setJWT(jwt);
console.log("Ada's JWT:  ", await names(backend));

await new Account(signedIn).deleteSession({ sessionId: "current" });
console.log("signed out: ", await names(backend));
await new Account(backend).get().catch((error) => console.log("her account:", error.code, error.type));
await tables.delete({ databaseId });
