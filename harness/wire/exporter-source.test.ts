import { expect, test } from 'vitest';
import { EXPORTER_LABEL, exporter13 } from './exporter.ts';
import {
  ExporterSource,
  fullDerivation,
  type ExporterSecrets,
  type FullDerivation,
} from './exporter-source.ts';

const exporterSecret = Buffer.alloc(48, 7);
const secrets: ExporterSecrets = { tls: '1.3', cipher: 'TLS_AES_256_GCM_SHA384', exporterSecret };

function library({ label, context, length }: FullDerivation): Buffer {
  return exporter13('sha384', exporterSecret, label, context ?? new Uint8Array(), length);
}

test('fills in the derivation of the draft', () => {
  expect(fullDerivation()).toEqual({ label: EXPORTER_LABEL, context: new Uint8Array(), length: 32 });
  expect(fullDerivation({ context: null, length: 5 })).toEqual({
    label: EXPORTER_LABEL,
    context: null,
    length: 5,
  });
});

test('takes a library that disagrees with the key log for a fault of the harness', () => {
  expect(new ExporterSource(library, secrets).check).toBe('key-log');
  const wrong = (derivation: FullDerivation): Buffer => library({ ...derivation, label: 'another' });
  expect(() => new ExporterSource(wrong, secrets)).toThrow('harness fault');
});

test('without secrets, keeps both context forms for after the end and refuses others', () => {
  const source = new ExporterSource(library, undefined);
  expect(source.check).toBe('not-checked');
  expect(source.value({ length: 64 }, false)).toHaveLength(64);
  expect(source.value(undefined, true)).toEqual(library(fullDerivation()));
  expect(source.value({ context: null }, true)).toEqual(library(fullDerivation({ context: null })));
  expect(() => source.value({ length: 64 }, true)).toThrow('while the connection is open');
});
