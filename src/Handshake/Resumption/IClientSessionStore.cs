namespace KTls.Handshake;

/// <summary>
/// Where a client keeps sessions to resume: <see cref="ClientSessionCache"/> in this process, or a store of the user's own.
/// For many connections at once.
/// </summary>
public interface IClientSessionStore
{
    /// <summary>Keeps a session. The store owns it from now on.</summary>
    /// <param name="key">Says for whom the session is: sessions under other keys must never be handed out for it.</param>
    /// <param name="session">The session.</param>
    void Add(string key, ClientSession session);

    /// <summary>Hands out a session. One for one use (<see cref="ClientSession.IsForOneUse"/>) must not be handed out again.</summary>
    /// <param name="key">For whom.</param>
    /// <returns>A session that the caller disposes; null when there is none.</returns>
    ClientSession? Take(string key);
}
