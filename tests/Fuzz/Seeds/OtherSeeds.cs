using KTls.Fuzz.Handshakes;
using KTls.Handshake;
using KTls.Handshake.Crypto;
using KTls.Handshake.Wire;

namespace KTls.Fuzz.Seeds;

/// <summary>What is too small to be taken from handshakes.</summary>
internal static class OtherSeeds
{
    public static IEnumerable<(string Target, byte[] Input)> All()
    {
        yield return (nameof(KeyUpdate), [0]);
        yield return (nameof(KeyUpdate), [1]);
        yield return (nameof(TlsAlert), TlsAlert.Create(AlertDescription.HandshakeFailure));
        yield return (nameof(TlsAlert), TlsAlert.Create(AlertDescription.CloseNotify));
        yield return (nameof(RecordHeader), [22, 3, 1, 0, 2, 1, 0]);
        yield return (nameof(RecordHeader), [23, 3, 3, 0x41, 0]);
        for (byte suite = 0; suite < CipherSuite.All.Length; suite++)
        {
            yield return (nameof(RecordOpener), [suite, 1, 2, 3, (byte)ContentType.ApplicationData, 0, 0]);
            yield return (nameof(RecordOpener), [(byte)((CipherSuite.All.Length * 12) + suite), (byte)ContentType.ApplicationData, 3, 3, 0, 30, .. new byte[30]]);
        }

        for (byte key = 0; key < TestKeys.All.Length; key++)
        {
            for (byte scheme = 0; scheme < SignatureAlgorithm.ForHandshake12.Length; scheme++)
            {
                if (TestKeys.All[key].Schemes.Contains(SignatureAlgorithm.ForHandshake12[scheme]))
                {
                    yield return ("Signature", [key, scheme, .. TestKeys.All[key].Sign(SignatureAlgorithm.ForHandshake12[scheme], Parsers.PeerKeyTargets.Content)]);
                }
            }
        }
    }
}
