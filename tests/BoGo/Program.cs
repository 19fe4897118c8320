using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>A shim for BoringSSL's protocol test runner: one process a test, one TCP connection a handshake.</summary>
internal static class Program
{
    // What the runner takes for "this test asks for what the shim does not have".
    private const int UnimplementedExitCode = 89;

    private static int Main(string[] arguments)
    {
        if (arguments is ["-is-handshaker-supported"])
        {
            Console.WriteLine("No");
            return 0;
        }

        try
        {
            Shim.Run(ShimFlags.Parse(arguments));
            return 0;
        }
        catch (UnimplementedException e)
        {
            Console.Error.WriteLine(e.Message);
            return UnimplementedExitCode;
        }
        catch (TlsAlertException e)
        {
            // config.json maps the names of BoringSSL's errors to these words.
            Console.Error.WriteLine($":{(e.ReceivedFromPeer ? "received" : "sent")} {e.Description}: {e.Message}");
            return 1;
        }
        catch (Exception e) when (e is ShimException or ArgumentException or IOException or System.Net.Sockets.SocketException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }
}
