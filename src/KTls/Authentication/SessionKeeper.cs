using KTls.Handshake;
using Microsoft.Extensions.Logging;

namespace KTls.Authentication;

/// <summary>
/// Takes a client's session for one connection from the store, and puts new ones into it as they come. A store of the user's own may fail: the connection
/// goes on without.
/// </summary>
internal sealed class SessionKeeper(IClientSessionStore store, string key, ILogger logger)
{
    /// <summary>What was decided of the server's certificate, if that is kept with the sessions.</summary>
    public KeptVerdict? Verdict { get; set; }

    /// <summary>Whether the connection has set out to resume a session.</summary>
    public bool HasTaken { get; private set; }

    public ClientSession? Take()
    {
        try
        {
            ClientSession? session = store.Take(key);
            HasTaken = session is not null;
            return session;
        }
        catch (Exception e)
        {
            Log.SessionStoreFailed(logger, e);
            return null;
        }
    }

    /// <summary>
    /// The connection has failed. Whatever is behind it, a certificate that is not trusted any more or a ticket that the server chokes on: with a session the
    /// next connection would fail the same way.
    /// </summary>
    public void Forget()
    {
        try
        {
            store.Remove(key);
        }
        catch (Exception e)
        {
            Log.SessionStoreFailed(logger, e);
        }
    }

    /// <summary>Puts a session into the store.</summary>
    public void Keep(ClientSession session)
    {
        session.UserToken = Verdict;
        try
        {
            store.Add(key, session);
        }
        catch (Exception e)
        {
            session.Dispose();
            Log.SessionStoreFailed(logger, e);
        }
    }
}
