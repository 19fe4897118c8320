using KTls.Handshake;

namespace KTls.Authentication;

/// <summary>Takes a client's session for one connection from the store, and puts new ones into it as they come.</summary>
internal sealed class SessionKeeper(IClientSessionStore store, string key)
{
    public ClientSession? Take() => store.Take(key);

    public void Keep(ClientSession session) => store.Add(key, session);
}
