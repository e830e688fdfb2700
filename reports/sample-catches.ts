import type { Catch, HarmlessVariant, Resemblance } from './model.ts';

/** Some mistakes that the suite would catch, for the sample report. */
export const sampleCatches: readonly Catch[] = [
  {
    id: 'M-RS-21',
    mistake: 'compares ekm with the value of the certificate’s first connection',
    breaks: ['RS-EKM-5', 'RS-T1'],
    scenarios: ['RS-EKM-4 info', 'RS-EKM-5', 'RS-T1', 'RS-T4'],
  },
  {
    id: 'M-RS-01',
    mistake: 'ignores the confirmation claim and the proof altogether',
    breaks: ['RS-FLD-1', 'RS-T1'],
    scenarios: [
      'RS-EKM-1',
      'RS-EKM-2',
      'RS-EKM-5',
      'RS-PL-1',
      'RS-PL-3',
      'RS-PL-4',
      'RS-FLD-1',
      'RS-SIG-1',
      'RS-MTLS-1',
      'RS-MTLS-4',
      'RS-T1',
      'RS-T2',
    ],
  },
  {
    id: 'M-RS-105',
    mistake: 'lets its refusals be stored',
    breaks: ['RS-ERR-8'],
    scenarios: ['RS-ERR-8 warn'],
  },
];

/** Some differences that it leaves alone. */
export const sampleHarmless: readonly HarmlessVariant[] = [
  { id: 'V-RS-no-cache', difference: 'verifies the proof anew with each request' },
  { id: 'V-RS-no-h2', difference: 'speaks HTTP/1.1 only' },
];

/** A mistake that is near the sample's failures, and one as near that has no row of its own. */
export const sampleResemblances: readonly Resemblance[] = [
  {
    mutant: 'M-RS-21',
    mistake: 'compares ekm with the value of the certificate’s first connection',
    distance: 0.25,
    common: ['RS-EKM-5', 'RS-SIG-1', 'RS-T1'],
    onlyTarget: ['RS-PL-4'],
    unjudged: ['RS-T4'],
  },
  {
    mutant: 'M-RS-999',
    mistake: 'takes any exporter value of the process',
    distance: 0.25,
    common: ['RS-EKM-5', 'RS-SIG-1', 'RS-T1'],
    onlyTarget: ['RS-PL-4'],
    unjudged: [],
  },
];
