namespace KTls.Interop.Tests.WrongPeers;

/// <summary>What is wrong with a certificate.</summary>
public enum Wrong
{
    /// <summary>Nothing: the same certificate is good when no more is wrong with it.</summary>
    Nothing,
    Expired,
    NotYetValid,
    Name,

    /// <summary>It comes from an authority that is not trusted.</summary>
    Root,

    /// <summary>Its key may agree on keys, but not sign.</summary>
    KeyUsage,

    /// <summary>A server's certificate is for clients, a client's for servers.</summary>
    ExtendedKeyUsage,

    /// <summary>Nothing: the authority's list does not have it.</summary>
    NothingInCrl,
    RevokedInCrl,

    /// <summary>Nothing: the authority's responder says that it is good.</summary>
    NothingByOcsp,
    RevokedByOcsp,

    /// <summary>The authority does not answer.</summary>
    RevocationUnknown,
}
