// Proof of work for public forms (hashcash): the smallest n for which SHA-256("<token>:<n>") begins with `bits` zero bits.
// `kit.answers.work_done` checks it. Own SHA-256, because crypto.subtle is missing on plain http and slow for small texts.
const K = Uint32Array.from({ length: 64 }, (_, n) => {
  let prime = 1;
  for (let found = -1; found < n; ) {
    prime += 1;
    let divisor = 2;
    while (prime % divisor) divisor += 1;
    if (divisor === prime) found += 1;
  }
  return (Math.cbrt(prime) % 1) * 2 ** 32;
});
const START = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

// The first 32 bits of the SHA-256 of a text.
export function firstBits(text: string): number {
  const bytes = new TextEncoder().encode(text);
  const blocks = ((bytes.length + 8) >> 6) + 1;
  const data = new DataView(new ArrayBuffer(blocks * 64));
  bytes.forEach((byte, place) => data.setUint8(place, byte));
  data.setUint8(bytes.length, 0x80);
  data.setUint32(blocks * 64 - 4, bytes.length * 8);
  const sum = Uint32Array.from(START);
  const w = new Uint32Array(64);
  for (let block = 0; block < blocks; block += 1) {
    for (let n = 0; n < 64; n += 1) {
      if (n < 16) {
        w[n] = data.getUint32(block * 64 + n * 4);
        continue;
      }
      const [a, b] = [w[n - 15] as number, w[n - 2] as number];
      const small = turn(a, 7) ^ turn(a, 18) ^ (a >>> 3);
      w[n] = (w[n - 16] as number) + small + (w[n - 7] as number) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = sum as unknown as [number, number, number, number, number, number, number, number];
    for (let n = 0; n < 64; n += 1) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + (K[n] as number) + (w[n] as number)) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, place) => (sum[place] = (sum[place] as number) + word));
  }
  return sum[0] as number;
}

// Works in slices, so that the page stays alive; the counter as text.
export async function work(token: string, bits: number): Promise<string> {
  for (let n = 0; ; n += 1) {
    if (firstBits(`${token}:${n}`) >>> (32 - bits) === 0) return String(n);
    if (n % 2000 === 1999) await new Promise((done) => window.setTimeout(done, 0));
  }
}
