namespace Q
private axiom ax : 1 = 1
end Q
theorem t : 1 = 1 := sorry
