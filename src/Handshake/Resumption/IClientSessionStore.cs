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

    /// <summary>
    /// Forgets all sessions under a key: a connection under it has failed, in a handshake that was to resume one, or with a fatal alert, after which they are not to be
    /// resumed (RFC 5246 §7.2.2, RFC 8446 §6.2).
    /// </summary>
    /// <param name="key">Whose sessions; there may be none.</param>
    void Remove(string key);
}
