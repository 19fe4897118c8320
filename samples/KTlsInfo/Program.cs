using System.Text.Json;

namespace KTls.Samples.Info;

/// <summary>Tells what this machine's kernel can do for TLS.</summary>
internal static class Program
{
    public static int Main(string[] arguments) => Run(arguments, Console.Out, Console.Error);

    /// <summary>The whole program: 0 with kernel TLS, 1 without, 2 for a wrong command line.</summary>
    public static int Run(string[] arguments, TextWriter output, TextWriter error)
    {
        if (arguments is not ([] or ["--json"]))
        {
            error.WriteLine("Usage: KTlsInfo [--json]");
            return 2;
        }

        KernelTlsCapabilities capabilities = KernelTls.Probe();
        output.WriteLine(arguments is [] ? capabilities.ToString() : JsonSerializer.Serialize(capabilities, CapabilitiesJson.Default.KernelTlsCapabilities));
        return capabilities.IsAvailable ? 0 : 1;
    }
}
