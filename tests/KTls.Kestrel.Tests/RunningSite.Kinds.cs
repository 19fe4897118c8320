namespace KTls.Kestrel.Tests;

internal sealed partial class RunningSite
{
    /// <summary>More arguments for the site, and who has to seal what it sends.</summary>
    public static TheoryData<string, string> Kinds => new()
    {
        { string.Empty, Site.KernelHasTls ? "Kernel" : "SslStream" },
        { " --stock true", "stock" },
    };
}
