import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The funds check by hand, with java.net.http and the cryptography of the JDK: keys, certificates and the client are made once,
 * and a connection is kept by the client.
 */
final class ByHand {
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration CALL = Duration.ofSeconds(10);
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH);
    private static final char[] NO_PASSWORD = {};

    private final boolean keeps;
    private final Config config;
    private final URI url;
    private final PrivateKey key;
    private final HttpClient client;
    private final ObjectMapper json = new ObjectMapper();

    private ByHand(Config config, boolean keeps) throws Exception {
        if (!keeps) {
            // The client has no setting for this but to let a program write the header itself.
            System.setProperty("jdk.httpclient.allowRestrictedHeaders", "connection");
        }
        this.keeps = keeps;
        this.config = config;
        url = URI.create(config.fundsUrl());
        key = privateKey(config.sealKey());
        client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .sslContext(tls(config))
                .connectTimeout(CONNECT)
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    public static void main(String[] words) throws Exception {
        Works.run((config, keeps) -> new ByHand(config, keeps)::call, words);
    }

    private void call() throws Exception {
        HttpResponse<byte[]> response = client.send(request(), BodyHandlers.ofByteArray());
        JsonNode answer = json.readTree(response.body());
        String reference = answer.path("request").path("paymentCoverageRequestId").asText();
        if (response.statusCode() != 200 || !reference.equals(config.reference())) {
            throw new IllegalStateException("no answer, but " + response.statusCode() + ": " + answer);
        }
        if (!answer.path("result").asBoolean()) {
            throw new IllegalStateException("not a yes: " + answer);
        }
    }

    private HttpRequest request() throws Exception {
        byte[] body = json.writeValueAsBytes(new Question(
                config.reference(),
                new Question.Amount("EUR", config.amount()),
                new Question.Account(config.iban())));
        String id = UUID.randomUUID().toString();
        String date = DATE.format(ZonedDateTime.now(ZoneOffset.UTC));
        String digest = "SHA-256=" + base64(MessageDigest.getInstance("SHA-256").digest(body));
        String signed = "(request-target): post " + url.getPath() + "\ndate: " + date + "\ndigest: " + digest
                + "\nx-request-id: " + id;
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initSign(key);
        signature.update(signed.getBytes(StandardCharsets.US_ASCII));
        HttpRequest.Builder request = HttpRequest.newBuilder(url)
                .timeout(CALL)
                .header("User-Agent", "cbpii/0.1.0")
                .header("Accept", "application/hal+json, application/json")
                .header("Accept-Encoding", "identity")
                .header("Authorization", "Bearer " + config.accessToken())
                .header("X-Request-ID", id)
                .header("Date", date)
                .header("Digest", digest)
                .header("Content-Type", "application/json")
                .header(
                        "Signature",
                        "keyId=\"" + config.clientId() + "\",algorithm=\"rsa-sha256\","
                                + "headers=\"(request-target) date digest x-request-id\",signature=\""
                                + base64(signature.sign()) + "\"")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        return (keeps ? request : request.header("Connection", "close")).build();
    }

    /** As the protocol names it. */
    record Question(String paymentCoverageRequestId, Amount instructedAmount, Account accountId) {
        record Amount(String currency, String amount) {}

        record Account(String iban) {}
    }

    private static SSLContext tls(Config config) throws Exception {
        KeyStore identity = KeyStore.getInstance("PKCS12");
        identity.load(null, NO_PASSWORD);
        identity.setKeyEntry("qwac", privateKey(config.qwacKey()), NO_PASSWORD, certificates(config.qwacChain()));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(identity, NO_PASSWORD);
        KeyStore roots = KeyStore.getInstance("PKCS12");
        roots.load(null, NO_PASSWORD);
        for (Certificate root : certificates(config.ca())) {
            roots.setCertificateEntry("root-" + roots.size(), root);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(roots);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static Certificate[] certificates(Path path) throws Exception {
        try (var file = Files.newInputStream(path)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(file).toArray(Certificate[]::new);
        }
    }

    private static PrivateKey privateKey(Path path) throws Exception {
        String base64 = Config.text(path).replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        byte[] document = Base64.getDecoder().decode(base64);
        return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(document));
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
