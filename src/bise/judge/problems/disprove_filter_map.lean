theorem filter_map_comm (f : Nat → Nat) (p : Nat → Bool) (xs : List Nat) :
    (xs.map f).filter p = (xs.filter p).map f := sorry
