import { Command } from 'commander';
import { exportPki, ExportError } from '../../certs/export.ts';
import { openStore } from '../../certs/store.ts';
import { UsageError } from '../usage-error.ts';

/** `tsbt pki export DIR` */
export function pkiCommand(): Command {
  const pki = new Command('pki').description("the suite's certificates and keys, stable across runs");
  pki
    .command('export')
    .description(
      'write CA, certificates, keys and the issuer’s JWK Set for an implementation that is configured by hand',
    )
    .argument('<dir>', 'folder to write them into')
    .action(async (directory: string) => {
      const store = await openStore();
      if (!store.persisted)
        process.stderr.write(
          `The PKI cannot be kept in ${store.directory} (${store.reason ?? ''}): what is exported will not fit the next run. Set TSBT_PKI_DIR to a folder that can be written.\n`,
        );
      try {
        const files = await exportPki(store, directory);
        process.stdout.write(`${files.join('\n')}\n`);
      } catch (error) {
        if (error instanceof ExportError) throw new UsageError(error.where, error.what, error.remedy);
        throw error;
      }
    });
  return pki;
}
