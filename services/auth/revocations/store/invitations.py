"""Which memberships and invitations belong to a user ($2) of a project ($1)."""


def of_user(addresses: str) -> str:
    """Return the statement for the ids of a user's memberships, and of invitations to these addresses of the user."""
    return f"""
    SELECT own.id FROM auth.memberships AS own WHERE own.project = $1 AND own.member_id = $2
    UNION ALL
    SELECT own.id FROM auth.users AS invited CROSS JOIN unnest(ARRAY[{addresses}]) AS address
    JOIN auth.memberships AS own
        ON own.project = invited.project AND own.sent_to = address AND own.invited_name IS NOT NULL
    WHERE invited.project = $1 AND invited.id = $2
    """


OF_USER = of_user("""
    CASE WHEN invited.email_verified THEN invited.email END, CASE WHEN invited.phone_verified THEN invited.phone END
""")
"""The ids of what belongs to a user ($2): an invitation to an address belongs to a user who has proven to have it."""
