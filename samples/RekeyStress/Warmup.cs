using System.Net;
using System.Net.Sockets;
using KTls;

namespace RekeyStress;

/// <summary>
/// A first connection of each cipher suite. It shows what the kernel can do; and what the library tries out once per process and cipher,
/// which the kernel counts, is done before counting begins.
/// </summary>
internal static class Warmup
{
    /// <summary>Whether the kernel can change keys.</summary>
    /// <exception cref="UserErrorException">It does not even take keys.</exception>
    public static async Task<bool> RunAsync(Identity identity)
    {
        bool canRekey = true;
        foreach (System.Net.Security.TlsCipherSuite suite in LifePlan.Suites)
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(1);
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(listener.LocalEndPoint!);
            Task<KTlsStream> accepting = KTlsStream.AuthenticateAsServerAsync(await listener.AcceptAsync(), identity.Server(suite));
            await using KTlsStream client = await KTlsStream.AuthenticateAsClientAsync(socket, identity.Client);
            await using KTlsStream server = await accepting;
            if (client.Sending.Kind != DataPlaneKind.Kernel)
            {
                throw new UserErrorException($"this kernel does not seal {suite}: {client.Sending.Reason} Run it in the lab (eng/lab.sh), or with --user-space");
            }

            try
            {
                await client.UpdateKeysAsync();
            }
            catch (PlatformNotSupportedException)
            {
                canRekey = false;
            }
        }

        return canRekey;
    }
}
