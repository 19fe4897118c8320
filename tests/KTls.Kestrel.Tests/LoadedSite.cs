namespace KTls.Kestrel.Tests;

/// <summary>One KestrelSite for all loads. It keeps quiet: a line for each request would be most of its work.</summary>
public sealed class LoadedSite : IAsyncLifetime
{
    internal RunningSite Running { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Running = await RunningSite.StartAsync(" --Logging:LogLevel:Microsoft.AspNetCore Warning");

    public async ValueTask DisposeAsync() => await Running.DisposeAsync();
}
