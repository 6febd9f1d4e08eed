def p : Option Prop := sorry
theorem t : p.all (fun q => false) = true := sorry
