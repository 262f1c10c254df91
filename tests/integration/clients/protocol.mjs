// What the drivers of JavaScript clients share: JSON lines on stdin and stdout with the test (see drivers.py).
// A driver gives `operations`, functions by name that take the command and return (a promise of) fields of
// the answer. `report` sends an event unasked.
import readline from 'node:readline';

export function report(object) {
  process.stdout.write(JSON.stringify(object) + '\n');
}

// Bytes have no JSON form: {"$bytes": base64} stands for them on the way to and from the test.
export function unwrap(value, fromBytes) {
  if (Array.isArray(value)) return value.map((item) => unwrap(item, fromBytes));
  if (value && typeof value === 'object') {
    if ('$bytes' in value) return fromBytes(Buffer.from(value.$bytes, 'base64'));
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unwrap(v, fromBytes)]));
  }
  return value;
}

export function wrap(value) {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (typeof value === 'bigint') return { $bigint: value.toString() };
  if (Array.isArray(value)) return value.map(wrap);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, wrap(v)]));
  }
  return value;
}

// Neither JavaScript client converts binary values in JSON: the application writes WAMP's convention.
export function bytesFor(serializer) {
  if (serializer === 'json') return (buffer) => '\0' + buffer.toString('base64');
  return (buffer) => buffer;
}

// What went wrong, whatever the client made of it.
function describe(error) {
  return String((error && (error.errorUri || error.error || error.message)) || error);
}

export function serve(operations) {
  readline.createInterface({ input: process.stdin }).on('line', async (line) => {
    const command = JSON.parse(line);
    try {
      const answer = await operations[command.op](command);
      report({ id: command.id, ...answer });
    } catch (error) {
      report({ id: command.id, error: describe(error) });
    }
  }).on('close', () => process.exit(0));
}
