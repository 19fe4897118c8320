using System.Text.Json;

namespace KTls.Interop.Tests.Sites;

/// <summary>A page in a browser.</summary>
internal sealed class BrowserTab : IAsyncDisposable
{
    private readonly DevTools _tools;
    private readonly string _target;
    private readonly string _session;

    private BrowserTab(DevTools tools, string target, string session)
    {
        _tools = tools;
        _target = target;
        _session = session;
    }

    /// <summary>Opens a page and waits until it has loaded.</summary>
    public static async Task<BrowserTab> OpenAsync(DevTools tools, Uri address)
    {
        JsonElement created = await tools.SendAsync("Target.createTarget", new { url = "about:blank" });
        string target = created.GetProperty("targetId").GetString()!;
        JsonElement attached = await tools.SendAsync("Target.attachToTarget", new { targetId = target, flatten = true });
        string session = attached.GetProperty("sessionId").GetString()!;
        await tools.SendAsync("Page.enable", session: session);
        await tools.SendAsync("Network.enable", session: session);
        JsonElement navigated = await tools.SendAsync("Page.navigate", new { url = address.AbsoluteUri }, session);
        Assert.False(navigated.TryGetProperty("errorText", out JsonElement error), $"{address}: {error}");
        await tools.EventAsync("Page.loadEventFired", _ => true, session);
        return new BrowserTab(tools, target, session);
    }

    /// <summary>The browser's view of an answer that the page has got: protocol, status, the connection's TLS.</summary>
    public async Task<JsonElement> ResponseAsync(Uri address) =>
        (await _tools.EventAsync("Network.responseReceived", received => received.GetProperty("response").GetProperty("url").GetString() == address.AbsoluteUri, _session))
        .GetProperty("response");

    /// <summary>Runs a script in the page; returns what it, or its promise, gives.</summary>
    public async Task<JsonElement> EvaluateAsync(string script)
    {
        JsonElement evaluated = await _tools.SendAsync("Runtime.evaluate", new { expression = script, awaitPromise = true, returnByValue = true }, _session);
        Assert.False(evaluated.TryGetProperty("exceptionDetails", out JsonElement exception), exception.ToString());
        return evaluated.GetProperty("result").TryGetProperty("value", out JsonElement value) ? value : default;
    }

    public async ValueTask DisposeAsync() => await _tools.SendAsync("Target.closeTarget", new { targetId = _target });
}
