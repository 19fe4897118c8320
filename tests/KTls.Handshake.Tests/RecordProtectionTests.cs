using System.Net.Security;
using KTls.Handshake.Crypto;

namespace KTls.Handshake.Tests;

/// <summary>Every suite's AEAD in the records of its version: what was sealed is opened, what was changed is not.</summary>
public sealed class RecordProtectionTests
{
    public static TheoryData<TlsCipherSuite> Suites() => [.. CipherSuite.All.Select(suite => suite.Id)];

    [Theory]
    [MemberData(nameof(Suites))]
    public void A_record_is_opened_once_and_only_unchanged(TlsCipherSuite id)
    {
        CipherSuite suite = CipherSuite.Find(id)!;
        using RecordKeys keys = Keys(suite, 0);
        using var sealer = new RecordSealer(keys);
        foreach (int length in new[] { 0, 1, 15, 16, 17, 1000, RecordHeader.MaxPlaintext })
        {
            byte[] content = [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];
            byte[] record = new byte[length + sealer.Overhead];
            ulong number = sealer.Sequence;
            Assert.Equal(record.Length, sealer.Seal(ContentType.ApplicationData, content, record));
            foreach (int position in new[] { RecordHeader.Size, record.Length - 16, record.Length - 1 })
            {
                byte[] changed = [.. record];
                changed[position] ^= 1;
                Assert.Equal(AlertDescription.BadRecordMac, Assert.Throws<TlsAlertException>(() => Open(suite, number, changed)).Description);
            }

            Assert.Equal(AlertDescription.BadRecordMac, Assert.Throws<TlsAlertException>(() => Open(suite, number + 1, [.. record])).Description);
            Assert.Equal(content, Open(suite, number, record));
        }
    }

    private static byte[] Open(CipherSuite suite, ulong number, byte[] record)
    {
        using RecordKeys keys = Keys(suite, number);
        using var opener = new RecordOpener(keys);
        byte[] content = opener.Open(record, out ContentType type).ToArray();
        Assert.Equal(ContentType.ApplicationData, type);
        return content;
    }

    private static RecordKeys Keys(CipherSuite suite, ulong number)
    {
        byte[] secret = [.. Enumerable.Range(0, 48).Select(i => (byte)i)];
        return suite.IsTls13
            ? new RecordKeys(suite, secret.AsSpan(0, suite.HashLength), number)
            : new RecordKeys(suite, secret.AsSpan(0, suite.KeyLength), secret.AsSpan(0, suite.IvLength), number);
    }
}
