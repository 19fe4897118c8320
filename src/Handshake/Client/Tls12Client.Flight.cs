using System.Security.Cryptography;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Handshake;

/// <summary>What the client sends after ServerHelloDone: its certificate, ClientKeyExchange, CertificateVerify, Finished.</summary>
internal sealed partial class Tls12Client
{
    private CertificateCredential? _credential;
    private SignatureScheme _scheme;

    private void SendFlight()
    {
        if (_request is not null)
        {
            ChooseCertificate(_request);
            Writer.Clear();
            CertificateMessage.Write12(Writer, _credential is null ? [] : _credential.Chain);
            SendWritten();
        }

        using (KeyExchange exchange = KeyExchange.Create(_group))
        {
            Span<byte> secret = stackalloc byte[KeyExchange.MaxSharedSecretLength];
            try
            {
                int length = exchange.Agree(_serverShare, secret);
                Writer.Clear();
                ClientKeyExchange.Write(Writer, exchange.PublicShare);
                SendWritten();
                DeriveKeys(secret[..length]);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(secret);
            }
        }

        if (_credential is null)
        {
            Finish();
        }
        else
        {
            Sign(_credential, _scheme, Transcript!.Messages);
        }
    }

    public override void Signed(ReadOnlySpan<byte> signature)
    {
        Writer.Clear();
        CertificateVerify.Write(Writer, _scheme, signature);
        SendWritten();
        Finish();
    }

    private void Finish()
    {
        Transcript!.DropMessages();
        SendFinished();
        ExpectEnd();
    }

    private void ChooseCertificate(ClientCertificateRequest request)
    {
        CertificateCredential? credential = _offer.Options.SelectCertificate?.Invoke(request);
        if (credential is null || !request.Accepts(credential))
        {
            return;
        }

        foreach (SignatureScheme scheme in credential.Tls12Schemes)
        {
            if (request.SignatureSchemes.Contains(scheme))
            {
                _credential = credential;
                _scheme = scheme;
                return;
            }
        }
    }
}
