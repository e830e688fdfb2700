import type { RightfulPasses, TrivialPasses } from '../harness/mutants/trivial.ts';

/**
 * What passes on targets that do one thing whatever they are asked, and why that is right. A scenario that is not named
 * here must not pass on them: it would call something in order that it did not try.
 */

const BY_TLS: RightfulPasses = {
  because: 'It is judged by the handshake, and the TLS library refuses it as it must.',
  pass: ['RS-EKM-14', 'RS-MTLS-3'],
};
const NOTHING_SAID: RightfulPasses = {
  because: 'The metadata says nothing of session-bound tokens, so no token can contradict it.',
  pass: ['AS-META-1'],
};

const FORWARDED: readonly RightfulPasses[] = [
  {
    because: 'It is judged by whether the request arrives, with or without a proof, and it does.',
    pass: ['CL-UNB-1'],
  },
];

const WORD: readonly RightfulPasses[] = [
  ...FORWARDED,
  {
    because:
      'It counts fields with a proof, and each request has one. What is in them is judged by CL-EKM-1, CL-EKM-2 and CL-SIG-2, which fail.',
    pass: ['CL-FLD-1', 'CL-FLD-2', 'CL-NOTE-1', 'CL-RETRY-1'],
  },
  {
    because:
      'It is judged by where token and proof go, and they go to no other server, early or in the clear.',
    pass: [
      'CL-EKM-7',
      'CL-EKM-7.too-early',
      'CL-CONN-1.plain',
      'CL-CONN-2',
      'CL-FLD-3',
      'CL-FLD-3.alternative',
      'CL-RETRY-4',
      'CL-SC-9',
      'CL-SC-10',
    ],
  },
  {
    because:
      'It is judged by connections and certificates, and the HTTP library keeps the former and presents the latter.',
    pass: ['CL-CONN-3', 'CL-CONN-4'],
  },
  {
    because:
      'It is judged by what the agent is told and how often a request is sent, and every answer is handed on as it is.',
    pass: ['CL-RETRY-3', 'CL-SC-11', 'CL-SC-14', 'CL-SC-14.stall'],
  },
  {
    because:
      'It is judged by whether an end, an early answer or a rotten connection is coped with, and the HTTP library does.',
    pass: [
      'CL-RETRY-6',
      'CL-RETRY-6.continue',
      'CL-RETRY-6.handshake',
      'CL-RETRY-6.unprocessed',
      'CL-SC-15',
      'CL-SC-15.octets',
    ],
  },
  { because: 'The private key is shown nowhere; a proof is not needed for that.', pass: ['CL-SC-7.key'] },
];

/** Passes on resource servers, clients and authorization servers that check nothing. */
export const TRIVIAL_PASSES: TrivialPasses = {
  'T-RS-all-200': [BY_TLS],
  'T-RS-echo': [BY_TLS],
  'T-RS-any-proof': [
    BY_TLS,
    {
      because: 'It is judged by whether a proof is demanded where there is none, and it is.',
      pass: [
        'RS-FLD-1',
        'RS-FLD-6',
        'RS-FLD-7',
        'RS-FLD-7.two-tokens',
        'RS-FLD-8',
        'RS-FLD-8.absolute-form',
        'RS-FLD-8.expect-continue',
        'RS-FLD-9',
        'RS-FLD-9.underscore',
        'RS-FLD-11',
        'RS-FLD-12',
        'RS-FLD-12.server-name',
        'RS-CACHE-15',
        'RS-CNF-1',
        'RS-CNF-1.later',
        'RS-CNF-2',
        'RS-CNF-4',
        'RS-CNF-6.names',
        'RS-CNF-6.wrong-type',
        'RS-DPOP-3',
        'RS-FWD-3',
        'RS-INT-2',
      ],
    },
    {
      because: 'It is judged by the refusal of a request without token or proof, and that is as it must be.',
      pass: ['RS-EKM-16', 'RS-FLD-10', 'RS-FLD-10.error', 'RS-ERR-4', 'RS-ERR-8', 'RS-ERR-9'],
    },
    {
      because: 'It is judged by what goes on being served after a refusal or for long, and that is.',
      pass: ['RS-CACHE-7', 'RS-CACHE-12.cost', 'RS-ERR-10'],
    },
  ],
  'T-CL-no-proof': FORWARDED,
  'T-CL-word': [
    ...WORD,
    {
      because: 'It is judged by how often and how soon a request is sent, and it is sent once and at once.',
      pass: ['CL-SC-11.effect', 'CL-SC-11.repeated', 'CL-SC-14.slow'],
    },
  ],
  'T-CL-twice': WORD,
  'T-CL-same-proof': [
    ...WORD,
    {
      because:
        'The first proof is valid in what this is about, and it is compared with nothing that changes.',
      pass: [
        'CL-HDR-1',
        'CL-HDR-2',
        'CL-HDR-3',
        'CL-HDR-3.chain',
        'CL-HDR-3.rare',
        'CL-HDR-4',
        'CL-PL-1',
        'CL-PL-3',
        'CL-PL-7',
        'CL-SIG-1',
        'CL-SIG-2',
        'CL-SIG-2.every',
        'CL-SIG-2.p521',
        'CL-NOTE-2',
      ],
    },
    {
      because: 'One token on one connection: there the first proof is the one that is to be used again.',
      pass: ['CL-REUSE-1', 'CL-EKM-6', 'CL-EKM-8', 'CL-EKM-5.refused-stream', 'CL-SVID-2', 'CL-DPOP-1.nonce'],
    },
    {
      because:
        'It is judged by what is not proven, shown, repeated or presented, and there the reference is unchanged.',
      pass: [
        'CL-CONN-1',
        'CL-EKM-3',
        'CL-FLD-4',
        'CL-FLD-4.quoted',
        'CL-RETRY-3.rotation',
        'CL-RETRY-5',
        'CL-SC-7',
        'CL-SC-8',
        'CL-SC-11.effect',
        'CL-SC-11.repeated',
        'CL-SC-12',
        'CL-SC-14.slow',
        'CL-SC-15.upload',
        'CL-SVID-1',
      ],
    },
  ],
  'T-AS-one-bound': [NOTHING_SAID],
  'T-AS-one-unbound': [NOTHING_SAID],
  'T-AS-one-opaque': [NOTHING_SAID],
  'T-AS-one-for-certified': [
    NOTHING_SAID,
    {
      because:
        'Every token is to be bound, and the one token is. That it is bound to whom it was made for is judged by AS-CNF-3 and AS-TX-3, which fail.',
      pass: [
        'AS-CNF-1',
        'AS-CNF-2',
        'AS-CNF-5',
        'AS-CNF-6',
        'AS-CNF-6.dpop',
        'AS-CNF-6.dpop-exchange',
        'AS-REG-1',
        'AS-REG-1.exchange',
        'AS-REG-4',
        'AS-REG-5',
        'AS-TX-1',
        'AS-TX-2',
        'AS-TX-8',
      ],
    },
    {
      because: 'It is judged by what introspection and the token say, and they say the same.',
      pass: ['AS-INT-1', 'AS-INT-2'],
    },
    {
      because: 'It is judged by the members of a granted response, and they are there.',
      pass: ['AS-TX-4', 'AS-TYPE-1'],
    },
  ],
  'T-AS-all-200': [NOTHING_SAID],
  'T-AS-all-invalid-request': [NOTHING_SAID],
  'T-AS-all-invalid-client': [NOTHING_SAID],
  'T-AS-all-500': [NOTHING_SAID],
};
