using System.Net.Security;
using System.Text;

namespace KTls.Interop.Tests.Matrix;

/// <summary>What both roles of ours have in common.</summary>
internal static class OurEnd
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static KTlsOptions Options => Scenario.Kernel;

    /// <summary>What a connection of ours was. It counts only if the kernel did both directions in the end.</summary>
    public static Told Tell(KTlsStream stream, bool isServer, bool data)
    {
        Assert.Equal((DataPlaneKind.Kernel, DataPlaneKind.Kernel), (stream.Sending.Kind, stream.Receiving.Kind));
        bool? clientCertificate = isServer ? stream.RemoteCertificate?.Subject == $"CN={Identity.ClientName}" : null;
        return new Told(stream.NegotiatedCipherSuite, stream.IsResumed, clientCertificate, data);
    }

    public static CipherSuitesPolicy Only(Cell cell) => Scenario.Only(cell.Suite);

    /// <summary>Reads until the text ends with <paramref name="end"/>; or to the end of the stream, if that comes first.</summary>
    public static async Task<string> ReadUntilAsync(Stream stream, string end)
    {
        var text = new StringBuilder();
        byte[] buffer = new byte[16 * 1024];
        int read;
        while ((text.Length < end.Length || text.ToString(text.Length - end.Length, end.Length) != end) && (read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Patience)) != 0)
        {
            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        return text.ToString();
    }
}
