namespace RekeyStress;

/// <summary>A connection from its beginning to its end. Its text says where it stands.</summary>
internal interface ILife
{
    /// <summary>KeyUpdates that it has contributed to the run so far.</summary>
    long Updates { get; }

    /// <summary>Runs to the end; what is wrong becomes a finding.</summary>
    Task RunAsync();
}
