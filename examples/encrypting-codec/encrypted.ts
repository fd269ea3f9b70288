// Values as AES-256-GCM: who reads Redis, its backups or its network reads nothing. The bytes of a value:
//
//   length of the key's id (1) | the key's id | nonce (12) | tag (16) | JSON, encrypted
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Codec } from 'everwarm';

export interface KeyRing {
  /** The id of the key that new values are encrypted with. */
  readonly current: string;
  /** Keys of 32 bytes by their ids; those of before too, until their entries have expired. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A codec that writes with the current key, and reads with any that is known. */
export function encrypted({ current, keys }: KeyRing): Codec {
  const keyOf = (id: string): Uint8Array => {
    const key = keys.get(id);
    // Thrown while decoding it makes a miss: the entry is loaded anew.
    if (!key) throw new Error(`no key "${id}" is known`);
    return key;
  };

  return {
    name: 'aes-256-gcm-json-1', // other bytes would need another name

    encode(value) {
      const id = Buffer.from(current);
      const head = Buffer.concat([Buffer.of(id.length), id]);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, keyOf(current), nonce).setAAD(head);
      const text = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
      return Buffer.concat([head, nonce, cipher.getAuthTag(), text]);
    },

    decode(bytes) {
      const nonceAt = 1 + (bytes[0] ?? 0);
      const tagAt = nonceAt + NONCE_BYTES;
      const textAt = tagAt + TAG_BYTES;
      const key = keyOf(Buffer.from(bytes.subarray(1, nonceAt)).toString());
      const nonce = bytes.subarray(nonceAt, tagAt);
      // Without a length, a cut and so more easily forged tag would do.
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(bytes.subarray(0, nonceAt)).setAuthTag(bytes.subarray(tagAt, textAt));
      const text = Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]);
      return JSON.parse(text.toString());
    },
  };
}
