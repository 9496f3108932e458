import io.github.cbpii.Account;
import io.github.cbpii.Amount;
import io.github.cbpii.Bank;
import io.github.cbpii.Blocking;
import io.github.cbpii.Client;
import io.github.cbpii.ClientOptions;
import io.github.cbpii.Environment;
import io.github.cbpii.FundsRequest;
import io.github.cbpii.Iban;
import io.github.cbpii.Issuer;
import io.github.cbpii.SealIdentity;
import io.github.cbpii.Tokens;
import io.github.cbpii.TransportIdentity;
import java.io.IOException;
import kotlin.time.Instant;

/** The funds check with the module: one client for all threads. */
final class WithCbpii {
    private static final long DAY = 86_400_000;

    private WithCbpii() {}

    public static void main(String[] words) throws Exception {
        Works.run(WithCbpii::open, words);
    }

    private static Works.Call open(Config config, boolean keeps) throws IOException {
        Bank bank = Bank.bpce("17515", Environment.SANDBOX)
                .withOrigin(config.origin())
                .withTrustAnchor(Config.text(config.ca()));
        TransportIdentity qwac =
                TransportIdentity.fromPem(Config.text(config.qwacChain()), Config.text(config.qwacKey()));
        SealIdentity qsealc = SealIdentity.fromPem(Config.text(config.sealChain()), Config.text(config.sealKey()));
        Issuer issuer = new Issuer(config.clientId(), config.redirectUri(), qwac, qsealc);
        ClientOptions options =
                new ClientOptions.Builder().maxIdleConnections(keeps ? 32 : 0).build();
        Client client = new Client(bank, issuer, options);
        long now = System.currentTimeMillis();
        Tokens tokens = new Tokens(config.accessToken(), null, instant(now), null, instant(now + 180 * DAY));
        return () -> {
            try (Iban iban = new Iban(config.iban());
                    Account account = new Account(iban);
                    Amount amount = new Amount(config.amount(), "EUR");
                    FundsRequest request = new FundsRequest(config.reference(), account, amount)) {
                if (!Blocking.confirmFunds(client, tokens, request).getAvailable()) {
                    throw new IllegalStateException("not a yes");
                }
            }
        };
    }

    private static Instant instant(long milliseconds) {
        return Instant.Companion.fromEpochMilliseconds(milliseconds);
    }
}
