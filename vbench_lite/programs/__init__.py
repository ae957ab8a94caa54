"""Programs of users, in environments of their own: started, asked, limited in time, and ended with all they started."""
