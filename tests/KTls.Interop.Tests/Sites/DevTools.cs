using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KTls.Interop.Tests.Sites;

/// <summary>Chromium's DevTools protocol: commands with answers, and events, as JSON over a WebSocket.</summary>
internal sealed class DevTools : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private static readonly JsonSerializerOptions WithoutNulls = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly ClientWebSocket _socket = new();
    private readonly List<JsonElement> _events = [];
    private int _commands;

    private DevTools()
    {
    }

    public static async Task<DevTools> ConnectAsync(Uri address)
    {
        var tools = new DevTools();
        await tools._socket.ConnectAsync(address, CancellationToken.None).WaitAsync(Patience);
        return tools;
    }

    /// <summary>Gives a command and waits for its result.</summary>
    /// <param name="method">Such as <c>Page.navigate</c>.</param>
    /// <param name="parameters">The command's parameters.</param>
    /// <param name="session">The page that it concerns; null: the browser.</param>
    public async Task<JsonElement> SendAsync(string method, object? parameters = null, string? session = null)
    {
        int id = ++_commands;
        byte[] command = JsonSerializer.SerializeToUtf8Bytes(new { id, method, @params = parameters, sessionId = session }, WithoutNulls);
        await _socket.SendAsync(command, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        while (true)
        {
            JsonElement message = await ReceiveAsync();
            if (message.TryGetProperty("method", out _))
            {
                _events.Add(message);
            }
            else if (message.GetProperty("id").GetInt32() == id)
            {
                Assert.True(message.TryGetProperty("result", out JsonElement result), $"{method}: {message}");
                return result;
            }
        }
    }

    /// <summary>Waits for an event, which may have come already; returns its parameters.</summary>
    public async Task<JsonElement> EventAsync(string method, Func<JsonElement, bool> isWanted, string? session = null)
    {
        for (int i = 0; ; i++)
        {
            if (i == _events.Count)
            {
                _events.Add(await ReceiveAsync());
            }

            JsonElement parameters = _events[i].GetProperty("params");
            string? of = _events[i].TryGetProperty("sessionId", out JsonElement id) ? id.GetString() : null;
            if (_events[i].GetProperty("method").GetString() == method && of == session && isWanted(parameters))
            {
                return parameters;
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task<JsonElement> ReceiveAsync()
    {
        using var message = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        WebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Patience);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonDocument.Parse(message.ToArray()).RootElement;
    }
}
