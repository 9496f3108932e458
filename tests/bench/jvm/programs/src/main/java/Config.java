import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** From the environment, as all programs of the bench have it. Certificates and keys are paths of PEM files. */
record Config(
        String origin,
        String fundsUrl,
        String clientId,
        String redirectUri,
        String accessToken,
        String iban,
        String amount,
        String reference,
        Path ca,
        Path qwacChain,
        Path qwacKey,
        Path sealChain,
        Path sealKey) {

    static Config read() {
        return new Config(
                variable("ORIGIN"),
                variable("FUNDS_URL"),
                variable("CLIENT_ID"),
                variable("REDIRECT_URI"),
                variable("ACCESS_TOKEN"),
                variable("IBAN"),
                variable("AMOUNT"),
                variable("REFERENCE"),
                Path.of(variable("CA")),
                Path.of(variable("QWAC_CHAIN")),
                Path.of(variable("QWAC_KEY")),
                Path.of(variable("SEAL_CHAIN")),
                Path.of(variable("SEAL_KEY")));
    }

    static String text(Path path) throws IOException {
        return Files.readString(path);
    }

    private static String variable(String name) {
        String value = System.getenv("BENCH_" + name);
        if (value == null) {
            throw new IllegalStateException("the variable BENCH_" + name + " is not set");
        }
        return value;
    }
}
