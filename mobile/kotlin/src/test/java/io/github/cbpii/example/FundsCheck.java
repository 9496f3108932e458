package io.github.cbpii.example;

import io.github.cbpii.Account;
import io.github.cbpii.Amount;
import io.github.cbpii.Bank;
import io.github.cbpii.Blocking;
import io.github.cbpii.CbpiiException;
import io.github.cbpii.Client;
import io.github.cbpii.ClientOptions;
import io.github.cbpii.FundsConfirmation;
import io.github.cbpii.FundsRequest;
import io.github.cbpii.Iban;
import io.github.cbpii.Issuer;
import io.github.cbpii.PendingConsent;
import io.github.cbpii.SealIdentity;
import io.github.cbpii.SealedStore;
import io.github.cbpii.Session;
import io.github.cbpii.SessionPool;
import io.github.cbpii.Tokens;
import io.github.cbpii.TransportIdentity;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;

/** A funds check from Java, on a thread that may wait. */
public final class FundsCheck {
    private FundsCheck() {}

    /**
     * From the consent to the answer. The folder holds the QWAC and the QSealC; {@code cardholder} is sent to the consent URL and
     * comes back with the callback.
     *
     * @param bank whom to ask
     * @param clientId how the bank knows the issuer
     * @param redirectUri where the cardholder comes back to
     * @param files the paths of QWAC chain and key, QSealC chain and key
     * @param cardholder the cardholder's way through the bank
     * @return what a log would say
     * @throws IOException when a file cannot be read
     */
    public static String check(
            Bank bank, String clientId, String redirectUri, Path[] files, UnaryOperator<String> cardholder)
            throws IOException {
        TransportIdentity qwac =
                TransportIdentity.fromPem(Files.readString(files[0]), Files.readString(files[1]));
        SealIdentity qsealc = SealIdentity.fromPem(Files.readString(files[2]), Files.readString(files[3]));
        Issuer issuer = new Issuer(clientId, redirectUri, qwac, qsealc);
        ClientOptions options = new ClientOptions.Builder()
                .timeout(Duration.ofSeconds(8))
                .listener(event -> Blocking.durationMillis(event))
                .build();

        try (Client client = new Client(bank, issuer, options);
                SealedStore store = SealedStore.inMemory();
                SessionPool pool = new SessionPool(client, store)) {
            PendingConsent pending = client.beginConsent();
            String callback = cardholder.apply(pending.getUrl());
            try (Tokens tokens = Blocking.completeConsent(client, pending, callback);
                    Session session = Blocking.keep(pool, "customer-1", tokens)) {
                Account account = new Account(new Iban("FR76 1751 5900 0008 0035 8074 006"));
                FundsRequest request = new FundsRequest("ORDER-4711", account, new Amount(new BigDecimal("59.90"), "EUR"));
                FundsConfirmation answer = Blocking.confirmFunds(session, request);
                return (answer.getAvailable() ? "funds available" : "funds not available")
                        + " after " + Blocking.durationMillis(answer) + " ms";
            }
        } catch (CbpiiException.ConsentRequired | CbpiiException.ConsentRefused again) {
            return "ask the cardholder again: " + again.getMessage();
        } catch (CbpiiException failure) {
            return failure.getCode() + ": " + failure.getMessage() + " (" + failure.getAdvice() + ")";
        }
    }
}
