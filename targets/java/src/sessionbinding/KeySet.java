package sessionbinding;

import module java.base;

/** The public keys of a JWK Set (RFC 7517), here those of the issuer of access tokens. */
record KeySet(List<Key> keys) {
    record Key(Object id, Object algorithm, PublicKey key) {}

    static KeySet read(Path file) throws IOException, MalformedException {
        var keys = new ArrayList<Key>();
        if (!(Json.object(Files.readAllBytes(file)).get("keys") instanceof List<?> list)) throw new MalformedException("has no keys");
        for (Object element : list) {
            if (!(element instanceof Map<?, ?> jwk) || "enc".equals(jwk.get("use"))) continue;
            try {
                keys.add(new Key(jwk.get("kid"), jwk.get("alg"), publicKey(jwk)));
            } catch (GeneralSecurityException | MalformedException _) {
                // RFC 7517 §5: keys of types that are not understood, or out of range, are passed over
            }
        }
        return new KeySet(List.copyOf(keys));
    }

    /** Whether one of these keys, under the limits that it states itself, made the signature. */
    boolean verifies(Jwt jwt) {
        Object id = jwt.header().get("kid");
        Object algorithm = jwt.header().get("alg");
        return keys.stream()
                .filter(key -> id == null || id.equals(key.id))
                .filter(key -> key.algorithm == null || key.algorithm.equals(algorithm))
                .anyMatch(key -> jwt.isSignedBy(key.key));
    }

    private static PublicKey publicKey(Map<?, ?> jwk) throws GeneralSecurityException, MalformedException {
        return switch (text(jwk, "kty")) {
            case "EC" -> {
                ECParameterSpec curve = switch (text(jwk, "crv")) {
                    case "P-256" -> Algorithm.curveNamed("secp256r1");
                    case "P-384" -> Algorithm.curveNamed("secp384r1");
                    case "P-521" -> Algorithm.curveNamed("secp521r1");
                    default -> throw new MalformedException("has another curve");
                };
                yield KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(new ECPoint(number(jwk, "x"), number(jwk, "y")), curve));
            }
            case "RSA" -> KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(number(jwk, "n"), number(jwk, "e")));
            case "OKP" -> {
                if (!text(jwk, "crv").equals("Ed25519")) throw new MalformedException("has another curve");
                byte[] octets = octets(jwk, "x");
                if (octets.length != 32) throw new MalformedException("has a point of another length");
                // RFC 8032 §5.1.2: y, least significant octet first; the highest bit is the sign of x.
                boolean xIsOdd = (octets[31] & 0x80) != 0;
                octets[31] &= 0x7f;
                var point = new EdECPoint(xIsOdd, new BigInteger(1, reversed(octets)));
                yield KeyFactory.getInstance("Ed25519").generatePublic(new EdECPublicKeySpec(NamedParameterSpec.ED25519, point));
            }
            default -> throw new MalformedException("has another key type");
        };
    }

    private static BigInteger number(Map<?, ?> jwk, String name) throws MalformedException {
        return new BigInteger(1, octets(jwk, name));
    }

    private static byte[] octets(Map<?, ?> jwk, String name) throws MalformedException {
        return Base64Url.decode(text(jwk, name));
    }

    private static String text(Map<?, ?> jwk, String name) throws MalformedException {
        if (jwk.get(name) instanceof String text) return text;
        throw new MalformedException("lacks " + name);
    }

    private static byte[] reversed(byte[] octets) {
        var reversed = new byte[octets.length];
        for (int i = 0; i < octets.length; i++) reversed[i] = octets[octets.length - 1 - i];
        return reversed;
    }
}
