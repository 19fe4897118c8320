using KTls.Handshake;

namespace KTls.BoGo;

/// <summary>Keeps the session of a client's last ticket.</summary>
internal sealed class LastSession : IClientSessionStore
{
    public ClientSession? Session { get; private set; }

    public void Add(string key, ClientSession session)
    {
        Session?.Dispose();
        Session = session;
    }

    public ClientSession? Take(string key) => null;

    public void Remove(string key)
    {
        Session?.Dispose();
        Session = null;
    }
}
