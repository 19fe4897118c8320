using System.Collections.Concurrent;
using KTls.Handshake;

namespace KTls.Bench.Handshakes;

/// <summary>Sessions of one server, as many as come: a batch of connections needs one each.</summary>
internal sealed class SessionPile : IClientSessionStore
{
    private readonly ConcurrentStack<ClientSession> _sessions = [];

    public void Add(ClientSession session) => _sessions.Push(session);

    public ClientSession? Take() => _sessions.TryPop(out ClientSession? session) ? session : null;

    void IClientSessionStore.Add(string key, ClientSession session) => Add(session);

    ClientSession? IClientSessionStore.Take(string key) => Take();

    void IClientSessionStore.Remove(string key) => _sessions.Clear();
}
