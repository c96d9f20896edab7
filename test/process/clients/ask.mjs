// Node's fetch, as an application uses it: against the ambassador's local address, and through its
// forward proxy (Debian's node-undici). Prints one line an answer.
//   NODE_PATH=/usr/share/nodejs node ask.mjs LOCAL_URL PROXY_URL FAR_URL
import {createRequire} from 'node:module';

const undici = createRequire(import.meta.url)('undici');
const [local, proxy, far] = process.argv.slice(2);
const dispatcher = new undici.ProxyAgent(proxy);

console.log(await (await fetch(local)).text());
const post = await fetch(local, {method: 'POST', body: 'x'.repeat(100000)});
console.log(await post.text());
console.log(await (await undici.fetch(far, {dispatcher})).text());
await dispatcher.close();
