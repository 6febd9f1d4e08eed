open ShortestWalk

#guard distance [] 0 0 = some 0
#guard distance [] 0 1 = none
#guard distance [⟨0, 1, 4⟩] 0 1 = some 4
#guard distance [⟨0, 1, 4⟩] 1 0 = none
#guard distance [⟨0, 1, 4⟩, ⟨0, 2, 1⟩, ⟨2, 1, 2⟩] 0 1 = some 3
#guard distance [⟨0, 1, 0⟩, ⟨1, 0, 0⟩, ⟨1, 2, 5⟩] 0 2 = some 5
#guard distance [⟨0, 1, 2⟩, ⟨0, 1, 1⟩] 0 1 = some 1
#guard distance [⟨3, 3, 7⟩] 3 3 = some 0
