namespace XorGroup

theorem xor_assoc (a b c : Bool) : ((a ^^ b) ^^ c) = (a ^^ (b ^^ c)) := sorry

theorem xor_comm (a b : Bool) : (a ^^ b) = (b ^^ a) := sorry

theorem xor_unique_solution (a b : Bool) :
    ∃ x, (a ^^ x) = b ∧ ∀ y, (a ^^ y) = b → y = x := sorry

theorem foldr_xor_append (xs ys : List Bool) :
    (xs ++ ys).foldr xor false = (xs.foldr xor false ^^ ys.foldr xor false) := sorry

end XorGroup
